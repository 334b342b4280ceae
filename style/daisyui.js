// daisyUI but for one rule, which is about links in articles, of which there are none here. As it asks whether *any* element around
// a link has a class, whatever changes its class has everything inside it styled anew: 40 ms for the table of machines.
import daisyui from "daisyui";

const slow = (selector) => selector.includes("not-prose");

const without = (styles) => Object.fromEntries(Object.entries(styles).filter(([selector]) => !slow(selector)));

const plugin = (options) => {
  const { handler, config } = daisyui(options);
  return { handler: (api) => handler({ ...api, addComponents: (styles) => api.addComponents(without(styles)) }), config };
};
plugin.__isOptionsFunction = true;

export default plugin;
