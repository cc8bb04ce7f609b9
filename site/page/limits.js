/** How much the browser is given to do, for its memory and for people's patience. */

export const MAX_BYTES = 250e6;
export const MAX_PIXELS = 50_000_000; // of a picture
export const MAX_VIDEO_SECONDS = 30;
