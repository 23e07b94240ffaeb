/* Forms with data-guard: changed fields are marked and counted, and leaving asks first. A form that came back with
   errors is unsaved from the start. */
const guarded = () => document.querySelector("form[data-guard]");
let sending = false;

function differs(control) {
  if (control.type === "radio" || control.type === "checkbox") return control.checked !== control.defaultChecked;
  if (control.options) {
    const first = [...control.options].some((option) => option.defaultSelected) ? "defaultSelected" : null;
    return first ? !control.selectedOptions[0]?.[first] : control.selectedIndex > 0;
  }
  return control.value !== control.defaultValue;
}

function changes(form) {
  const fields = [...form.querySelectorAll(".f")];
  for (const field of fields) {
    const controls = [...field.querySelectorAll("input:not([type=hidden]), select, textarea")];
    field.classList.toggle("changed", "touched" in field.dataset || controls.some(differs));
  }
  return fields.filter((field) => field.classList.contains("changed")).length;
}

function recount(event) {
  const form = event.target.closest("form[data-guard]");
  if (!form) return;
  const count = changes(form);
  const place = form.querySelector("[data-changes]");
  if (place) place.textContent = count ? `${count} ${count === 1 ? "change" : "changes"} not saved` : "";
}

document.addEventListener("input", recount);
document.addEventListener("change", recount);
document.addEventListener("submit", () => (sending = true));
addEventListener("pageshow", () => (sending = false));
addEventListener("beforeunload", (event) => {
  const form = guarded();
  if (form && !sending && (changes(form) > 0 || form.querySelector(".err"))) event.preventDefault();
});
