/**
 * Codes as a person says them.
 * @module
 */

/** Levels of service as the field writes them, and a rule that is named by an abbreviation. */
const NAMES = new Map(["als", "bls", "cct", "sct"].map((each) => [each, each.toUpperCase()]))
  .set("hcpcs", "equipment (HCPCS codes)");

/** Any code. @param {string} code */
export function words(code) {
  return NAMES.get(code) || code.replaceAll("_", " ");
}

/** What a vendor reported, or why a task is there. @type {Record<string, string>} */
export const CODES = {
  no_client: "the patient was not there",
  cancel_at_door: "the patient did not want it, at the door",
  not_ready: "the patient was not ready",
  provider_admin_cancel: "the vendor called it off",
  not_in_service_area: "it is not in the vendor's area",
  invalid_service_hours: "the vendor is closed then",
  invalid_user: "the vendor does not know the patient",
  invalid_pickup_address: "the address of the pick-up is wrong",
  invalid_dropoff_address: "the address of the drop-off is wrong",
  no_vehicles_available: "the vendor had no vehicle",
  unable_to_service_trip: "the vendor was not able to do it",
  wrong_service_level: "the vendor does not serve that level",
  bad_weather: "the weather was bad",
  little_left: "little is left of it",
  expires: "it ends soon",
  unfit: "its vendor may not do what is asked now",
  pickup: "proof of the pick-up",
  dropoff: "proof of the drop-off",
  delivery: "proof of the delivery",
  pickup_signature: "a signature at the pick-up",
  dropoff_signature: "a signature at the drop-off",
  delivery_signature: "a signature for the delivery",
  instruction: "that its use was explained",
};
