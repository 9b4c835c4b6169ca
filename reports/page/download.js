// Files that a page makes out of what it shows anyway, so that it need not hold them twice.
"use strict";

/** The address of a file with this text. */
function fileAddress(kind, text) {
  const bytes = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte));
  return `data:${kind};charset=utf-8;base64,${btoa(bytes.join(""))}`;
}
