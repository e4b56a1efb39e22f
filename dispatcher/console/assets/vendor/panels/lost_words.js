/**
 * The texts of rules: what each took away or forbids, and what would change that.
 * @module
 */

import { add } from "../core/messages.js";

add({
  "lost.nothing": ["Nothing was asked for in these days.", "No se pidió nada en estos días."],
  "lost.decided": ["{n} were asked for", "se pidieron {n}"],
  "lost.offered": ["{n} were offered to you", "a usted se le ofrecieron {n}"],
  "lost.others": [
    "{n} went to another, though you could have had them",
    "{n} fueron a otro, aunque usted podía hacerlos",
  ],
  "lost.rules": ["What you lost, and to what", "Lo que perdió, y por qué"],
  "lost.no": ["You lost none to a rule.", "No perdió ninguno por una regla."],
  "lost.helps": ["{what}: {n} more", "{what}: {n} más"],
  "rule.onboarding": ["you were not active", "usted no estaba activo"],
  "rule.paused": ["you were paused", "usted estaba en pausa"],
  "rule.level_of_service": ["you do not serve that level", "usted no presta ese nivel"],
  "rule.exclusions": ["whoever asked wanted another vendor", "quien lo pidió quería otro proveedor"],
  "rule.declined": ["you had declined it", "usted lo había rechazado"],
  "rule.skills": ["your crews lack a skill that it takes", "su personal no tiene una capacidad que se pide"],
  "rule.hcpcs": ["you do not carry what was ordered", "usted no tiene lo que se pidió"],
  "rule.needs": ["the passenger needs more than you carry", "el pasajero necesita más de lo que usted ofrece"],
  "rule.service_area": ["a door was outside your area", "una puerta estaba fuera de su zona"],
  "rule.pools": ["you had posted no capacity for it", "no había publicado capacidad para eso"],
  "rule.pool_limits": [
    "the passenger needs more than these vehicles carry",
    "el pasajero necesita más de lo que llevan esos vehículos",
  ],
  "rule.hours": ["you were closed", "usted estaba cerrado"],
  "rule.credentials": ["a paper was not valid on that day", "un documento no era válido ese día"],
  "rule.capacity": ["what you had posted was booked", "lo que había publicado ya estaba reservado"],
  "rule.cap": ["what its payer gives you was used up", "se agotó lo que le da quien paga"],
  "rule.time_window": ["no start in its time could be kept", "no se podía cumplir ninguna hora de inicio"],
  "rule.arrival": ["its appointment could not be reached in time", "no se llegaba a tiempo a la cita"],
  "rule.sequence": ["what goes before it did not leave the time", "lo que va antes no dejaba tiempo"],
  "do.onboarding": ["ask ops what is still lacking", "pregunte a la central qué falta"],
  "do.paused": ["end your pause, or ask ops about theirs", "termine su pausa, o pregunte a la central por la suya"],
  "do.level_of_service": ["serve that level, if you can", "preste ese nivel, si puede"],
  "do.service_area": ["widen your area", "amplíe su zona"],
  "do.pools": ["post capacity for it", "publique capacidad para eso"],
  "do.hours": ["open longer", "abra más horas"],
  "do.credentials": ["renew the paper; ops verifies it", "renueve el documento; la central lo verifica"],
  "do.capacity": ["post more units", "publique más unidades"],
  "do.cap": ["ask ops for a higher cap", "pida a la central un tope más alto"],
  "get.skills": ["have a crew with: {what}", "tenga personal con: {what}"],
  "get.hcpcs": ["carry {what}", "tenga {what}"],
  "limit.max_weight_kg": ["carry {n} lb", "lleve {n} lb"],
  "limit.max_stairs": ["carry passengers up {n} steps", "suba pasajeros por {n} escalones"],
  "limit.max_oxygen_l_min": ["oxygen up to {n} L/min", "oxígeno hasta {n} L/min"],
  "limit.max_escorts": ["escorts: {n}", "acompañantes: {n}"],
  "limit.max_attendants": ["attendants: {n}", "ayudantes: {n}"],
});
