// Starts Swagger UI on the OpenAPI document of this service.

// Swagger UI fills examples into the "Try it out" form, and sends them. Keep required ones only.
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

// A link in a button is two tab stops, and a screen reader ignores it.
const noLinkInButton = {
  wrapComponents: {
    DeepLink: (_, { React }) => ({ text }) => React.createElement("span", null, text),
  },
};

// Accessible names for controls that Swagger UI leaves unnamed or names wrongly.
const ACCESSIBLE_NAMES = {
  ".body-param textarea": () => "Request body",
  ".examples-select select": () => "Example",
  "[data-param-name] select": (select) => select.closest("[data-param-name]").dataset.paramName,
  ".close-modal": () => "Close",
  ".auth-btn-wrapper .authorize": (button) => button.textContent,
};

function addAccessibleNames() {
  for (const [controls, name] of Object.entries(ACCESSIBLE_NAMES)) {
    for (const control of document.querySelectorAll(controls)) {
      if (control.ariaLabel !== name(control)) control.ariaLabel = name(control);
    }
  }
}

const dark = matchMedia("(prefers-color-scheme: dark)");
const applyColorScheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", applyColorScheme);
applyColorScheme();

new MutationObserver(addAccessibleNames).observe(document.body, { childList: true, subtree: true });

SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  persistAuthorization: false,
  plugins: [emptyForms, noLinkInButton],
  validatorUrl: null,
});
