// What somebody has typed or chosen in a dialog since it was opened. Only ever called from effects and event handlers.

/** Of each dialog what its fields had when the user came to them. */
const before = new WeakMap();

const contents = (field) => (field.matches("[type=checkbox], [type=radio]") ? field.checked : field.value);

/** Begins anew: the dialog is opened. What belongs to no form is done at once, and a search only narrows down what is offered. */
export function watchFields(dialog) {
  if (before.has(dialog)) return before.get(dialog).clear();
  const fields = new Map();
  before.set(dialog, fields);
  const note = ({ type, target }) => {
    if (!target.form || !target.matches("input:not([type=search]), select, textarea") || fields.has(target)) return;
    // changed without having been focused: what it had is not known
    fields.set(target, type === "focusin" ? contents(target) : undefined);
  };
  for (const type of ["focusin", "input", "change"]) dialog.addEventListener(type, note);
}

/** Whether something would be lost with the dialog. */
export function holdsTyped(dialog) {
  return [...(before.get(dialog) ?? [])].some(([field, had]) => field.isConnected && contents(field) !== had);
}
