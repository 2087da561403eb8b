// The conversation without a reload: turns come drawn from the server, this file only puts them in their place.
// A module: its names are its own, those of shop.js stay what they are.

const chat = document.querySelector(".chat");
const log = chat.querySelector(".log");
const field = document.getElementById("ask-text");
const panel = document.getElementById("ask-panel");
const opener = document.getElementById("ask-open");
const OPEN = "mercer-ask";
const FOLLOW = 15_000; // milliseconds between looks for a person's answer
const phone = matchMedia("(max-width: 40rem)");
let busy = false;
let loaded = !panel; // the page of its own comes with its turns

async function call(query, options) {
  const answer = await fetch(`/ask?part=1${query}`, options);
  const page = (answer.headers.get("content-type") ?? "").startsWith("text/html");
  if (!page) throw new Error(answer.status === 413 ? "unread" : "failed");
  return { ok: answer.ok, html: await answer.text() };
}

function show() {
  const last = log.lastElementChild;
  log.scrollTop = last ? last.offsetTop - log.offsetTop - 8 : 0; // a long answer is read from its beginning
  if (!panel) last?.scrollIntoView({ block: "nearest" });
}

function put(html) {
  const made = document.createElement("template");
  made.innerHTML = html;
  log.append(made.content);
  show();
}

function turn(role, speaker, text) {
  const made = document.createElement("article");
  made.className = `turn ${role}`;
  const who = document.createElement("p");
  who.className = "speaker";
  who.textContent = speaker;
  const bubble = document.createElement("div");
  bubble.className = "bubble";
  const line = document.createElement("p");
  line.textContent = text;
  bubble.append(line);
  made.append(who, bubble);
  log.append(made);
  show();
  return made;
}

async function say(body, text) {
  busy = true;
  log.setAttribute("aria-busy", "true");
  log.querySelectorAll(".offer").forEach((offer) => offer.remove()); // an offer holds for the next message only
  log.querySelector(".starters")?.remove();
  turn("shopper", chat.dataset.you, text);
  const waiting = turn("assistant waiting", chat.dataset.speaker, chat.dataset.waiting);
  let answer = { ok: false };
  try {
    answer = await call("", { method: "POST", body });
    waiting.remove();
    put(answer.html);
  } catch (error) {
    waiting.remove();
    turn("wrong", chat.dataset.speaker, chat.dataset[error.message] ?? chat.dataset.failed);
  }
  if (!answer.ok && body.has("text") && !field.value) field.value = text; // nothing typed is lost
  log.removeAttribute("aria-busy");
  busy = false;
}

async function load(query, options) {
  busy = true; // what is sent meanwhile would be wiped
  try {
    const { html } = await call(query, options);
    log.replaceChildren();
    put(html);
    loaded = true;
  } catch {
    turn("wrong", chat.dataset.speaker, chat.dataset.failed);
  }
  busy = false;
}

(panel ?? chat.parentElement).addEventListener("submit", async (event) => {
  event.preventDefault();
  if (busy) return;
  const body = new URLSearchParams(new FormData(event.target, event.submitter));
  if (body.has("new")) {
    await load("", { method: "POST", body });
    field.focus();
    return;
  }
  const typed = event.target.id === "ask-form";
  const text = typed ? field.value.trim() : event.submitter.textContent;
  if (!text) return;
  if (typed) field.value = "";
  else log.focus(); // the button goes away
  await say(body, text);
});

setInterval(async () => {
  if (busy || document.hidden || (panel && !panel.open) || !log.querySelector(".handed")) return;
  const seen = [...log.querySelectorAll(".turn.agent")].map((one) => Number(one.dataset.time));
  try {
    const { ok, html } = await call(`&since=${Math.max(0, ...seen)}`);
    if (ok && html.includes("data-time")) put(html);
  } catch {
    busy = false; // the next look may find the server again
  }
}, FOLLOW);

// --- the panel: beside the page where there is room, over it on a phone
function open(how) {
  if (how === "again") panel.setAttribute("open", ""); // after a page change; the focus stays with the page
  else if (phone.matches) panel.showModal();
  else panel.show();
  opener.setAttribute("aria-expanded", "true");
  sessionStorage.setItem(OPEN, "1");
  if (how !== "again") field.focus();
  if (!loaded) load("");
  else show();
}

function closed() {
  if (opener.getAttribute("aria-expanded") === "false") return;
  opener.setAttribute("aria-expanded", "false");
  sessionStorage.removeItem(OPEN);
  opener.focus();
}

function shut() {
  panel.close();
  closed();
}

if (panel) {
  document.getElementById("ask-link").hidden = true;
  opener.hidden = false;
  opener.addEventListener("click", () => (panel.open ? shut() : open("now")));
  document.getElementById("ask-close").addEventListener("click", shut);
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.isComposing) return;
    event.preventDefault();
    shut();
  });
  panel.addEventListener("close", closed); // a phone's own way back
  if (sessionStorage.getItem(OPEN) && !phone.matches) open("again");
} else {
  show();
}
