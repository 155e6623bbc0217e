// Polls /readyz while the page is visible, and shows the result.
const POLL_INTERVAL_MS = 5000;
const STATE_BY_STATUS = { 200: "ready", 503: "unready" };
const section = document.querySelector("[data-probe]");
const verdict = section.querySelector(".verdict");

async function refresh() {
  try {
    const response = await fetch(section.dataset.probe, { cache: "no-store" });
    const { checks } = await response.json();
    show(STATE_BY_STATUS[response.status] ?? "unreachable", checks ?? {});
  } catch {
    show("unreachable", {});
  }
}

function show(state, checks) {
  if (section.dataset.state !== state) {
    section.dataset.state = state;
    verdict.textContent = verdict.dataset[state];
  }
  section.querySelector(".checks").replaceChildren(...Object.entries(checks).map(item));
  section.querySelector(".when").textContent = `at ${new Date().toLocaleTimeString()}`;
}

function item([name, state]) {
  const element = document.createElement("li");
  element.dataset.state = state;
  element.textContent = `${name}: ${state}`;
  return element;
}

async function poll() {
  if (!document.hidden) await refresh();
  setTimeout(poll, POLL_INTERVAL_MS);
}

document.addEventListener("visibilitychange", () => document.hidden || refresh());
poll();
