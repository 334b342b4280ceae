// The API's own page: Swagger UI on the document that this server serves, and nothing from anywhere else.
import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";
import "./docs.css";

// the pages' choice, else the system's
const chosen = /(?:^|; )theme=(light|dark)/.exec(document.cookie)?.[1];
const dark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
document.documentElement.classList.toggle("dark-mode", dark);

SwaggerUI({
  domNode: document.getElementById("docs"),
  url: "/api/v1/openapi.json",
  // an address in the page's own may name another document: only ours is shown
  queryConfigEnabled: false,
  // a badge of a foreign host
  validatorUrl: null,
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
  // a token typed here is gone with the page
  persistAuthorization: false,
  filter: true,
});
