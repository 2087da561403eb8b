// What the page adds where scripts run: suggestions by keyboard, events to the log, the cart without a reload.
"use strict";

const body = document.body.dataset;

function identity() {
  const bytes = crypto.getRandomValues(new Uint8Array(15));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}

// --- events: a queue that is sent every second, and at once when the page goes away or something was clicked
const queue = [];

// without a time: phones have wrong clocks, the server's is right
function note(type, product, queryId, position, rest = {}) {
  const event = { id: identity(), type, product, shopper: body.shopper, session: body.session, ...rest };
  if (queryId) event.query_id = queryId;
  if (position) event.position = Number(position);
  event.device = matchMedia("(max-width: 40rem)").matches ? "phone" : "desktop";
  queue.push(event);
}

async function send() {
  if (!queue.length) return true;
  const events = queue.splice(0, 100);
  try {
    const answer = await fetch("/v1/events", {
      method: "POST", keepalive: true, headers: { "Content-Type": "application/json" }, body: JSON.stringify({ events }),
    });
    return answer.ok;
  } catch {
    queue.unshift(...events); // the log knows event ids, so a second try counts nothing twice
    return false;
  }
}

setInterval(send, 1000);
addEventListener("pagehide", send);
document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && send());

// --- impressions: a card of which half was seen; clicks: its link
const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    const list = target.closest("[data-query-id]").dataset.queryId;
    if (list) note("impression", target.dataset.product, list, target.dataset.position);
  }
}, { threshold: 0.5 });

for (const card of document.querySelectorAll(".card")) {
  seen.observe(card);
  const told = () => {
    note("click", card.dataset.product, card.closest("[data-query-id]").dataset.queryId, card.dataset.position);
    send();
  };
  card.querySelector("a").addEventListener("click", told);
  card.querySelector("a").addEventListener("auxclick", (event) => event.button === 1 && told());
}

// --- product page: a view, and the cart
function say(text) {
  const toast = document.getElementById("toast");
  toast.textContent = text;
  toast.classList.add("shown");
  setTimeout(() => toast.classList.remove("shown"), 2500);
}

const product = document.querySelector("article.product");
if (product) {
  const { product: id, queryId, position } = product.dataset;
  note("view", id, queryId, position);
  send();
  product.querySelector("form.buy").addEventListener("submit", async (event) => {
    event.preventDefault();
    note("add_to_cart", id, queryId, position, { quantity: 1 });
    say((await send()) ? body.added : body.failed);
  });
}

// --- filters are folded where they would push the hits off the screen
if (matchMedia("(max-width: 52rem)").matches) document.querySelector(".filters details")?.removeAttribute("open");

// --- a page that comes back from the browser's memory is asked for again, since the feed has learnt meanwhile
addEventListener("pageshow", (event) => event.persisted && body.page === "home" && location.reload());

// --- suggestions: a combobox after the ARIA authoring practices (list autocomplete, manual selection)
const input = document.getElementById("q");
const list = document.getElementById("suggestions");
let active = -1;
let typed = input.value;
let asked = 0;
let waiting = 0;

function close() {
  list.hidden = true;
  active = -1;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}

function choose(index) {
  const options = [...list.children];
  active = options.length ? (index + options.length + 1) % (options.length + 1) : -1;
  if (active === options.length) active = -1; // one step past an end is what was typed
  options.forEach((option, at) => option.setAttribute("aria-selected", String(at === active)));
  if (active < 0) {
    input.removeAttribute("aria-activedescendant");
    input.value = typed;
  } else {
    input.setAttribute("aria-activedescendant", options[active].id);
    input.value = options[active].dataset.text;
    options[active].scrollIntoView({ block: "nearest" });
  }
}

function marked(text, part) {
  const at = part ? text.toLowerCase().indexOf(part.toLowerCase()) : -1;
  if (at < 0) return [text];
  const bold = document.createElement("b");
  bold.textContent = text.slice(at, at + part.length);
  return [text.slice(0, at), bold, text.slice(at + part.length)];
}

function show(completions) {
  list.replaceChildren(...completions.map((text, at) => {
    const option = document.createElement("li");
    option.id = `suggestion-${at}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    option.dataset.text = text;
    option.append(...marked(text, typed.trim()));
    option.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      input.value = text;
      input.form.requestSubmit();
    });
    return option;
  }));
  active = -1;
  list.hidden = completions.length === 0;
  input.setAttribute("aria-expanded", String(completions.length > 0));
}

async function suggest() {
  const mine = ++asked;
  if (!typed.trim()) return close();
  try {
    const answer = await fetch(`/v1/suggest?k=8&q=${encodeURIComponent(typed)}`);
    if (answer.ok && mine === asked && document.activeElement === input) show((await answer.json()).completions);
  } catch {
    close(); // without suggestions the box is still a box
  }
}

input.addEventListener("input", () => {
  typed = input.value;
  clearTimeout(waiting);
  waiting = setTimeout(suggest, 60);
});
input.addEventListener("keydown", (event) => {
  if (event.isComposing) return; // the arrows belong to the Chinese input method
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    if (list.hidden) suggest();
    else choose(event.key === "ArrowDown" ? active + 1 : active - 1);
  } else if (event.key === "Escape" && !list.hidden) {
    event.preventDefault();
    input.value = typed;
    close();
  } else if (event.key === "Enter" || event.key === "Tab") {
    asked++;
    close();
  }
});
input.addEventListener("blur", close);
