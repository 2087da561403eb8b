/* A form with data-sure asks before it is sent; "all" chooses every row; nothing here is needed to use a page. */
"use strict";

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.sure || (event.submitter && event.submitter.dataset.sure);
  if (question && !window.confirm(question)) event.preventDefault();
});

document.addEventListener("change", (event) => {
  const name = event.target.dataset.all;
  if (!name) return;
  for (const box of event.target.form.querySelectorAll(`input[type="checkbox"][name="${name}"]`)) box.checked = event.target.checked;
});

for (const select of document.querySelectorAll("select[data-go]")) select.addEventListener("change", () => select.form.requestSubmit());

const kind = document.querySelector("select[data-kind]");
if (kind) {
  const choose = () => {
    for (const part of document.querySelectorAll("[data-kinds]")) {
      const kinds = part.dataset.kinds;
      part.hidden = kinds !== "" && !kinds.split(" ").includes(kind.value);
    }
  };
  kind.addEventListener("change", choose);
  choose();
}

const here = document.querySelector(".menu [aria-current]");
const menu = document.querySelector(".menu");
if (here && menu && menu.scrollWidth > menu.clientWidth) menu.scrollLeft = here.offsetLeft - menu.clientWidth / 2;
