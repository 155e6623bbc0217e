// Tells whether the service is ready, as /readyz says it, as long as somebody looks.
const EVERY = 5000;
const FOUND = { 200: "ready", 503: "unready" };
const state = document.querySelector("[data-asks]");
const verdict = state.querySelector(".verdict");

async function look() {
  try {
    const answer = await fetch(state.dataset.asks, { cache: "no-store" });
    const { checks } = await answer.json();
    tell(FOUND[answer.status] ?? "unreachable", checks ?? {});
  } catch {
    tell("unreachable", {});
  }
}

function tell(found, checks) {
  if (state.dataset.found !== found) {
    state.dataset.found = found;
    verdict.textContent = verdict.dataset[found];
  }
  state.querySelector(".checks").replaceChildren(...Object.entries(checks).map(line));
  state.querySelector(".when").textContent = `at ${new Date().toLocaleTimeString()}`;
}

function line([name, found]) {
  const item = document.createElement("li");
  item.dataset.found = found;
  item.textContent = `${name}: ${found}`;
  return item;
}

async function watch() {
  if (!document.hidden) await look();
  setTimeout(watch, EVERY);
}

document.addEventListener("visibilitychange", () => document.hidden || look());
watch();
