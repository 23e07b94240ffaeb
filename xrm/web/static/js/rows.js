/* The row cursor of a list: J and K move, Space or a click beside the links shows the row in the preview. */
const rows = () => [...document.querySelectorAll(".cards tbody tr")];
const link = (row) => row.querySelector("td.sub a");
const pane = () => document.getElementById("peek");
const WIDE = 60; // rem of the main part: narrower than this the preview has no room (see xrm.css)

function room() {
  const size = parseFloat(getComputedStyle(document.documentElement).fontSize);
  return document.getElementById("main").clientWidth > WIDE * size;
}

function show(row) {
  if (!pane() || !window.htmx || !room()) return false;
  window.htmx.ajax("GET", `${link(row).pathname}/peek`, { target: "#peek", swap: "innerHTML ignoreTitle:true" });
  return true;
}

function mark(row) {
  for (const other of document.querySelectorAll(".cards tr.cursor")) other.classList.remove("cursor");
  row.classList.add("cursor");
  if (pane()?.firstElementChild) show(row); // an open preview follows the cursor
}

function step(by) {
  const all = rows();
  const at = all.findIndex((row) => row.classList.contains("cursor"));
  const next = all[at < 0 ? 0 : at + by];
  if (next) link(next).focus();
}

document.addEventListener("focusin", (event) => {
  const row = event.target.closest?.(".cards tbody tr");
  if (row && !row.classList.contains("cursor")) mark(row);
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const row = document.activeElement.closest(".cards tbody tr");
  if (event.key === " " && row && show(row)) event.preventDefault();
  if (event.key === "Escape" && !event.target.closest("dialog")) pane()?.replaceChildren();
  const free = !event.target.closest("input, textarea, select, dialog") && document.documentElement.dataset.keys !== "off";
  if (free && event.key === "j") step(1);
  if (free && event.key === "k") step(-1);
});

document.addEventListener("click", (event) => {
  const row = event.target.closest(".cards tbody tr");
  if (!row || event.target.closest("a") || String(getSelection())) return;
  link(row).focus();
  if (!show(row)) link(row).click();
});
