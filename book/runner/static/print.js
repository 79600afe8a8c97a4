// What is printed is in the light theme, whatever is on the screen.
const page = document.documentElement.dataset;
let onScreen = page.theme;
addEventListener("beforeprint", () => {
  onScreen = page.theme;
  page.theme = "light";
});
addEventListener("afterprint", () => {
  page.theme = onScreen;
});
