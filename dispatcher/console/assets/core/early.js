/**
 * What does not wait for the console's other modules: asking who is signed in, and hearing what is pressed.
 * @module
 */

import { Api } from "./api.js";
import "./keys.js";

/** @type {Promise<import("./app.js").Session> | null} null: somebody comes in by a link, and is not signed in yet */
export const session = location.pathname === "/console/enter" ? null : new Api("").get("/console/session");
session?.catch(() => undefined); // the page says what went wrong, once it is there
