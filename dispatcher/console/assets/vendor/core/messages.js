/**
 * Every text of the page, in English and in Spanish: one table; panels that are not shown first add
 * theirs. Nothing is said elsewhere.
 * @module
 */

import { MORE } from "./messages_more.js";

/** @typedef {[english: string, spanish: string]} Said */

/** @type {Record<string, Said>} */
const TABLE = {
  "app": ["Dispatcher", "Dispatcher"],
  "skip": ["Skip to the page", "Ir a la página"],
  "nav": ["Pages", "Páginas"],
  "nav.offers": ["Offers", "Ofertas"],
  "nav.day": ["Rides", "Viajes"],
  "nav.capacity": ["Capacity", "Capacidad"],
  "nav.more": ["More", "Más"],
  "back": ["Back", "Volver"],
  "close": ["Close", "Cerrar"],
  "cancel": ["Cancel", "Cancelar"],
  "undo": ["Undo", "Deshacer"],
  "send": ["Send", "Enviar"],
  "save": ["Save", "Guardar"],
  "loading": ["Loading …", "Cargando …"],
  "live": ["live", "en vivo"],
  "stale": ["connecting …", "conectando …"],
  "offline": ["No connection. This is how it was at {time}.", "Sin conexión. Así estaba a las {time}."],
  "waiting.taps": ["{n} to send", "{n} por enviar"],
  "tap.sending": ["sending …", "enviando …"],
  "tap.undo": ["goes out in {time}", "se envía en {time}"],
  "tap.later": ["goes out once there is a connection", "se envía cuando haya conexión"],
  "tap.refused": ["Not taken: {what}", "No se aceptó: {what}"],
  "tap.away": ["Put away", "Quitar"],
  "error.unknown": ["Something went wrong.", "Algo salió mal."],
  "error.wrong-state": ["it has changed meanwhile", "cambió entretanto"],
  "error.not-found": ["it is no longer yours", "ya no es suyo"],
  "error.taken": ["another vendor was first", "otro proveedor fue primero"],
  "error.capacity": [
    "you have no capacity left then; post more first",
    "no le queda capacidad a esa hora; publique más primero",
  ],
  "error.does-not-fit": ["it breaks one of your own rules", "no cumple una de sus propias reglas"],
  "error.forbidden": ["you may not do that", "no tiene permiso"],
  "error.stale-version": [
    "somebody else has changed it meanwhile; look again",
    "otra persona lo cambió entretanto; vuelva a mirar",
  ],
  "error.away": ["The service does not answer.", "El servicio no responde."],
  "idle.title": ["Hidden while nobody looked", "Oculto mientras nadie miraba"],
  "idle.text": [
    "Names and addresses are hidden after 15 minutes.",
    "Los nombres y direcciones se ocultan a los 15 minutos.",
  ],
  "idle.show": ["Show again", "Mostrar de nuevo"],
  "offers.title": ["Offers", "Ofertas"],
  "offers.count": ["open offers: {n}", "ofertas abiertas: {n}"],
  "offers.none": [
    "No open offers. New ones appear here by themselves.",
    "No hay ofertas. Las nuevas aparecen aquí solas.",
  ],
  "offer.answer": ["Answer within", "Responda en"],
  "offer.over": ["its time is over", "venció"],
  "offer.assumed": ["Not answered, it is yours.", "Si no responde, es suya."],
  "offer.window": ["start between {from} and {to}", "inicio entre {from} y {to}"],
  "offer.duration": ["{n} min", "{n} min"],
  "offer.distance": ["{n} mi", "{n} mi"],
  "offer.in": ["in {place}", "en {place}"],
  "offer.from": ["from {place}", "desde {place}"],
  "offer.to": ["to {place}", "a {place}"],
  "spoken": ["At the telephone: {n}", "Por teléfono: {n}"],
  "way": ["to the {way}", "al {way}"],
  "ways": [
    "north,north-east,east,south-east,south,south-west,west,north-west",
    "norte,noreste,este,sureste,sur,suroeste,oeste,noroeste",
  ],
  "offer.accept": ["Accept", "Aceptar"],
  "offer.decline": ["Decline", "Rechazar"],
  "offer.counter": ["Offer otherwise", "Proponer otra cosa"],
  "offer.willing": [
    "You said yes. The best of those who did is told at {time}.",
    "Usted dijo que sí. A las {time} se avisa a quien se elija.",
  ],
  "offer.countered": [
    "You offered {what}. The offer stays good meanwhile.",
    "Usted propuso {what}. La oferta sigue vigente.",
  ],
  "offer.counter.refused": [
    "What you offered was not taken; the offer stays good.",
    "No se aceptó lo que propuso; la oferta sigue vigente.",
  ],
  "offer.price": ["How the price is made up", "Cómo se forma el precio"],
  "offer.area": ["Area on a map", "Zona en el mapa"],
  "pressing": ["pressing", "urgente"],
  "day.count": ["new messages: {n}", "mensajes nuevos: {n}"],
  "ride.map": ["Map", "Mapa"],
  "status.none": ["agreed", "acordado"],
  "status.en_route": ["on the way", "en camino"],
  "status.at_pickup": ["at the door", "en la puerta"],
  "status.on_board": ["on board", "a bordo"],
  "status.completed": ["done", "terminado"],
  "status.no_show": ["not there", "no estaba"],
  "status.failed": ["not done", "no se hizo"],
  "status.turned_back": ["given back", "devuelto"],
  "status.cancelled": ["called off", "anulado"],
  ...MORE,
};

export const LANGUAGES = { en: "English", es: "Español" };
const CHOSEN = "dispatcher-vendor-language";

/** @type {"en" | "es"} */
let language = "en";

/** The reader's choice, or the phone's language. */
export function chooseLanguage() {
  const chosen = localStorage.getItem(CHOSEN) || navigator.languages.find((each) => /^(en|es)\b/.test(each)) || "en";
  language = chosen.startsWith("es") ? "es" : "en";
  document.documentElement.lang = language;
  return language;
}

/** @param {string} chosen */
export function keepLanguage(chosen) {
  localStorage.setItem(CHOSEN, chosen);
  return chooseLanguage();
}

/**
 * A text in the reader's language.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  const said = TABLE[key]?.[language === "es" ? 1 : 0] ?? key;
  return said.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** More texts, of panels that are shown later. @param {Record<string, Said>} more */
export const add = (more) => void Object.assign(TABLE, more);

/** Whether there is such a text. @param {string} key */
export const has = (key) => key in TABLE;

/** The table, for its test. */
export const table = () => TABLE;

/** $45.00, in the reader's language. @param {number} cents */
export function money(cents) {
  return new Intl.NumberFormat(language === "es" ? "es-US" : "en-US", { style: "currency", currency: "USD" })
    .format(cents / 100);
}

/** 3.4 @param {number} value @param {number} [digits] */
export function figure(value, digits = 1) {
  return new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
}
