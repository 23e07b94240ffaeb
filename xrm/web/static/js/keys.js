/* Shortcuts. An element says its key in aria-keyshortcuts; keys without Ctrl can be switched off (WCAG 2.1.4). */
const TYPING = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";

function keyOf(event) {
  const key = event.key.toLowerCase();
  return event.ctrlKey || event.metaKey ? `control+${key}` : key;
}

/* The element that answers: in the form one is in if it has one, else the first that can be seen. */
function holder(key, target) {
  const root = document.querySelector("dialog[open]") ?? document;
  const all = [...root.querySelectorAll("[aria-keyshortcuts]")].filter(
    (element) => element.getAttribute("aria-keyshortcuts").toLowerCase() === key && element.checkVisibility(),
  );
  if (key === "control+enter") return all.find((element) => element.form && element.form === target.closest("form"));
  return all[0];
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.altKey) return;
  const single = !event.ctrlKey && !event.metaKey;
  if (single && (event.target.closest(TYPING) || document.documentElement.dataset.keys === "off")) return;
  const element = holder(keyOf(event), event.target);
  if (!element) return;
  event.preventDefault();
  if (element.matches("input")) {
    element.focus();
    element.select();
  } else element.click();
});
