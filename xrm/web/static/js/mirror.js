/* Forms with data-mirror: after a change of what a rule reads, the server says which fields apply, are required, fixed or
   limited, and what follows. It decides again when the form is sent. What was typed stays, and so does the focus. */
let asking;

function controls(field) {
  return [...field.querySelectorAll("input, select, textarea")];
}

function off(field, yes) {
  if (yes && field.contains(document.activeElement)) return; // nobody is thrown out of a field while typing
  for (const control of controls(field)) control.disabled = yes;
}

function optional(field, yes) {
  const label = field.querySelector("legend, label");
  const told = label.querySelector(".opt");
  if (!yes) told?.remove();
  else if (!told) label.insertAdjacentHTML("beforeend", ' <span class="opt">(optional)</span>');
}

/* In a table of rows: what does not apply is not seen, and is sent all the same, since the server leaves it out; so is what is fixed. */
function fix(field, yes) {
  for (const control of controls(field)) if ("readOnly" in control) control.readOnly = yes;
}

function cell(field, told) {
  field.toggleAttribute("data-must", told.must);
  fix(field, told.fixed);
  const control = field.matches("fieldset") ? null : field.querySelector("input:not([type=hidden]), select, textarea");
  if (told.must) control?.setAttribute("aria-required", "true");
  else control?.removeAttribute("aria-required");
}

function show(form, name, told) {
  const field = form.querySelector(`[data-field="${CSS.escape(name)}"]`);
  if (!field) return;
  field.toggleAttribute("data-out", !told.applies);
  field.toggleAttribute("data-fixed", told.fixed);
  if (field.closest("[data-cell]")) cell(field, told);
  else {
    off(field, !told.applies || told.fixed);
    optional(field, !told.must);
  }
  for (const option of field.querySelectorAll("option")) option.disabled = (told.fixed || told.closed.includes(option.value)) && !option.selected;
}

function fill(form, name, text) {
  const control = form.elements.namedItem(name);
  if (!control || control instanceof RadioNodeList || control.type === "hidden" || control === document.activeElement) return;
  if (control.value !== "" && control.value !== control.dataset.filled) return; // somebody's own words stay
  control.value = text;
  control.dataset.filled = text;
}

function sections(form) {
  for (const card of form.querySelectorAll("section.card")) {
    const fields = [...card.querySelectorAll("[data-field]")].filter((field) => !field.closest("[data-cell]"));
    if (fields.length) card.hidden = fields.every((field) => field.hasAttribute("data-out"));
  }
}

async function ask(form) {
  asking?.abort();
  asking = new AbortController();
  const closed = [...form.querySelectorAll("[data-out] :disabled, [data-fixed] :disabled")];
  for (const control of closed) control.disabled = false; // what stands in them is sent too
  const body = new URLSearchParams([...new FormData(form)].filter(([, value]) => typeof value === "string"));
  for (const control of closed) control.disabled = true;
  for (const control of form.querySelectorAll("[data-filled]")) if (control.value === control.dataset.filled) body.delete(control.name);
  try {
    const response = await fetch(form.dataset.mirror, { method: "POST", body, signal: asking.signal });
    if (!response.ok) return;
    const told = await response.json();
    for (const [name, state] of Object.entries(told.fields)) show(form, name, state);
    for (const [name, text] of Object.entries(told.defaults)) fill(form, name, text);
    for (const [name, text] of Object.entries(told.computed)) {
      const place = form.querySelector(`[data-computed="${CSS.escape(name)}"]`);
      if (place) place.textContent = text || "–";
    }
    sections(form);
  } catch (error) {
    if (error.name !== "AbortError") throw error;
  }
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-mirror]");
  if (form && event.target.closest("[data-asked]")) ask(form);
});

function begin() {
  for (const form of document.querySelectorAll("form[data-mirror]")) {
    for (const field of form.querySelectorAll("[data-out], [data-fixed]")) if (!field.closest("[data-cell]")) off(field, true);
    for (const field of form.querySelectorAll("[data-cell] [data-fixed]")) {
      fix(field, true);
      for (const option of field.querySelectorAll("option")) option.disabled = !option.selected;
    }
    sections(form);
  }
}

begin();
document.addEventListener("htmx:after:swap", () => {
  asking?.abort(); // its rows may have other numbers now
  begin();
});
