// Checks the page of a comparison.

checkPageWidth();
checkRequests();
await checkAccessibility();
const pairs = [...document.querySelectorAll(".pair")];
if (!pairs.length) addFault("there are no images");
for (const pair of pairs) {
  const range = pair.querySelector("input");
  const [below, above] = pair.querySelectorAll("svg");
  if (!range.checkVisibility()) addFault("a slider is hidden");
  range.focus();
  if (document.activeElement !== range) addFault("a slider cannot have the focus");
  const [one, other] = [below.getBoundingClientRect(), above.getBoundingClientRect()];
  if (one.x !== other.x || one.y !== other.y || one.width < 100) addFault("the maps are not on top of each other");
  for (const value of ["25", "100"]) {
    range.value = value;
    range.dispatchEvent(new Event("input"));
    const clip = getComputedStyle(above).clipPath;
    if (!clip.includes(`${value}%`)) addFault(`at ${value} the boundary is ${clip}`);
  }
}
