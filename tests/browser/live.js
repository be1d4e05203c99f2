// Checks a live page.

checkPageWidth();
await checkAccessibility();
for (const { name } of performance.getEntriesByType("resource")) {
  if (!name.startsWith(`${location.origin}/`) && !name.startsWith("data:")) addFault(`the page requests ${name}`);
}
