// Written by `npm run generate`; not by hand.

/** Version of this package. */
export const VERSION = "0.1.0";
