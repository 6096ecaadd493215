// Write a Valetkey connector in JavaScript or TypeScript. What everything is for stands in `index.d.ts`.

export { Call, Output, Page, page, run } from "./call.js";
export { Fault } from "./fault.js";
export { Response } from "./http.js";
export { segment } from "./template.js";
