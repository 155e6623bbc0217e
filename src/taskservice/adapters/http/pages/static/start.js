// The reference page: Swagger UI over this service's document.

// Values of examples stand in the form of "Try it out", and are sent: only what must be sent does.
function withoutExamples({ example, examples, ...rest }) {
  return rest;
}

function withoutOptionalExamples(key, value) {
  if (value?.in && value.name && !value.required) {
    const { schema, ...parameter } = withoutExamples(value);
    return { ...parameter, schema: withoutExamples(schema) };
  }
  return value;
}

const emptyForms = {
  statePlugins: {
    spec: {
      wrapActions: {
        updateSpec: (update) => (text) =>
          update(JSON.stringify(JSON.parse(text, withoutOptionalExamples))),
      },
    },
  },
};

// A button that holds a link is two stops for a keyboard, and none for a screen reader.
const noLinkInButton = {
  wrapComponents: {
    DeepLink: (_, { React }) => ({ text }) => React.createElement("span", null, text),
  },
};

// Names for controls that Swagger UI leaves without, or gives one that is not what they show.
const NAMES = {
  ".body-param textarea": () => "Request body",
  ".examples-select select": () => "Example",
  "[data-param-name] select": (select) => select.closest("[data-param-name]").dataset.paramName,
  ".close-modal": () => "Close",
  ".auth-btn-wrapper .authorize": (button) => button.textContent,
};

function giveNames() {
  for (const [controls, name] of Object.entries(NAMES)) {
    for (const control of document.querySelectorAll(controls)) {
      if (control.ariaLabel !== name(control)) control.ariaLabel = name(control);
    }
  }
}

const dark = matchMedia("(prefers-color-scheme: dark)");
const colour = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", colour);
colour();

new MutationObserver(giveNames).observe(document.body, { childList: true, subtree: true });

SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  persistAuthorization: false,
  plugins: [emptyForms, noLinkInButton],
  validatorUrl: null,
});
