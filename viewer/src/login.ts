// The form to log in, shown when the service asks for it.

import * as api from "./api";
import { fill, h } from "./dom";

export function showLogIn(main: HTMLElement, done: (session: api.Session) => void): void {
  const name = h("input", { id: "name", name: "name", autocomplete: "username", required: true });
  const password = h("input", {
    id: "password",
    name: "password",
    type: "password",
    autocomplete: "current-password",
    required: true,
  });
  const wrong = h("p", { role: "alert", class: "reason" });
  const button = h("button", { class: "primary" }, "Log in");
  const submit = async (event: Event) => {
    event.preventDefault();
    button.disabled = true;
    wrong.textContent = "";
    try {
      done(await api.logIn(name.value, password.value));
    } catch (error) {
      wrong.textContent = wordsOf(error);
      password.value = "";
      password.focus();
    }
    button.disabled = false;
  };
  const field = (label: string, input: HTMLInputElement) => h("p", {}, h("label", { for: input.id }, label), input);
  const form = h("form", { class: "login", onsubmit: submit }, h("h1", {}, "Log in"));
  form.append(field("Name", name), field("Password", password), wrong, button);
  fill(main, form);
  name.focus();
}

function wordsOf(error: unknown): string {
  if (error instanceof api.Refused && error.status === 401) return "Name and password do not belong together.";
  return error instanceof Error ? error.message : "Something went wrong.";
}
