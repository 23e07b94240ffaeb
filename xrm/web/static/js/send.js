/* Sending: a form is sent once, lists filter as one types, and what is empty stays out of the address. */
document.addEventListener("submit", (event) => {
  if (event.target.method !== "post") return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
  event.submitter?.setAttribute("aria-busy", "true");
});

addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  for (const button of document.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
});

let timer;
document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-live]");
  if (!form || !event.target.matches("[type=search], select")) return;
  clearTimeout(timer);
  timer = setTimeout(() => form.requestSubmit(), event.target.matches("select") ? 0 : 250);
});

document.addEventListener("formdata", (event) => {
  if (event.target.method !== "get") return;
  for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
});
