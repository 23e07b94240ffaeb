/* <x-combo>: options for a link field come from the server as one types. Without script it is a text input whose words
   the server looks up (ARIA APG, editable combobox with list autocomplete). */
class Combo extends HTMLElement {
  connectedCallback() {
    this.input = this.querySelector("input:not([type=hidden])");
    this.stored = this.querySelector("input[type=hidden]");
    this.list = this.querySelector("[role=listbox]");
    this.at = -1;
    const { input, list } = this;
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-controls", list.id);
    input.setAttribute("aria-expanded", "false");
    input.addEventListener("input", () => this.typed());
    input.addEventListener("keydown", (event) => this.key(event));
    input.addEventListener("blur", () => this.open(false));
    list.addEventListener("pointerdown", (event) => {
      event.preventDefault(); // focus stays in the input
      const option = event.target.closest("[role=option]");
      if (option) this.pick(option);
    });
  }

  get options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  open(yes) {
    this.list.hidden = !yes;
    this.input.setAttribute("aria-expanded", String(yes));
    if (!yes) this.input.removeAttribute("aria-activedescendant");
  }

  typed() {
    this.stored.value = "";
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.load(), 120);
  }

  async load() {
    if (this.input.readOnly) return;
    this.request?.abort();
    this.request = new AbortController();
    const url = new URL(this.dataset.source, location.href);
    url.searchParams.set("q", this.input.value);
    for (const key of [...url.searchParams.keys()].filter((key) => key.startsWith("this."))) {
      const told = this.input.form?.elements.namedItem(key.slice(5));
      if (told) url.searchParams.set(key, told.value);
    }
    try {
      const response = await fetch(url, { signal: this.request.signal, headers: { "HX-Request": "true" } });
      if (!response.ok) return;
      this.list.innerHTML = await response.text();
      this.at = -1;
      this.open(this.options.length > 0 && document.activeElement === this.input);
      if (this.input.value && this.options.length) this.mark(0);
    } catch (error) {
      if (error.name !== "AbortError") this.open(false);
    }
  }

  mark(place) {
    const all = this.options;
    if (!all.length) return;
    this.at = (place + all.length) % all.length;
    all.forEach((option, index) => {
      option.id = `${this.list.id}-${index}`;
      option.setAttribute("aria-selected", String(index === this.at));
    });
    this.input.setAttribute("aria-activedescendant", all[this.at].id);
    all[this.at].scrollIntoView({ block: "nearest" });
  }

  pick(option) {
    this.input.value = option.dataset.label;
    this.stored.value = option.dataset.value;
    this.open(false);
    this.input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  key(event) {
    const closed = this.list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (closed) this.load();
      else this.mark(this.at + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter" && !closed && this.at >= 0 && !event.ctrlKey) {
      event.preventDefault();
      this.pick(this.options[this.at]);
    } else if (event.key === "Escape" && !closed) {
      event.stopPropagation();
      this.open(false);
    }
  }
}

customElements.define("x-combo", Combo);
