// What all checks of pages share. `faults` receives one line per fault.
const faults = [];
const width = window.innerWidth;
const addFault = (what) => faults.push(`${width} px: ${what}`);
const quoted = (text) => JSON.stringify(text.trim().slice(0, 60));
const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** No request leaves the page and the files in the folder `beside` it. */
function checkRequests(beside) {
  for (const { name } of performance.getEntriesByType("resource")) {
    if (!name.startsWith("data:") && !(beside && name.startsWith(beside))) addFault(`the page requests ${name}`);
  }
}

function checkPageWidth() {
  if (document.documentElement.scrollWidth > width + 1) addFault(`the page is ${document.documentElement.scrollWidth} px wide`);
}

/** Rules of accessibility that axe-core knows, if the test has loaded it. */
async function checkAccessibility() {
  if (!window.axe) return;
  const { violations } = await axe.run(document);
  for (const { id, help, nodes } of violations) addFault(`axe: ${id}: ${help}: ${nodes.length} × ${nodes[0].target}`);
}
