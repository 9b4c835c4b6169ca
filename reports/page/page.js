// A page as a whole: every story gets its stepper, and one button changes between light and dark.
"use strict";

if (window !== window.top) document.documentElement.classList.add("framed");

const stories = document.querySelectorAll(".story");
for (const story of stories) {
  mountStepper(story, JSON.parse(story.querySelector("script.data").textContent), stories.length === 1);
}

for (const link of document.querySelectorAll("a.of-figure")) {
  link.href = fileAddress("image/svg+xml", link.closest("section").querySelector("svg").outerHTML);
  link.hidden = false;
}

document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const isDark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
});

addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
