/** What a style's file says about itself: the metadata of an ONNX file, which ONNX Runtime keeps to itself in a browser. */

// Of ModelProto the graph and metadata_props, pairs of a key (1) and a value (2); of GraphProto the initializers; of these
// their names.
const [GRAPH, METADATA, INITIALIZER, NAME] = [7, 14, 5, 8];

const text = (part) => new TextDecoder().decode(part);

/** {key: text} of the bytes of an ONNX file. */
export function metadata(bytes) {
  return Object.fromEntries(
    inside([bytes], METADATA).map((pair) => {
      const parts = Object.fromEntries(fields(pair));
      return [text(parts[1]), text(parts[2])];
    }),
  );
}

/**
 * Makes a plain input of one that has a default: in a browser ONNX Runtime takes no other value for such a one. The default
 * gets another name, so that it is nobody's.
 */
export function dropDefault(bytes, input) {
  for (const tensor of inside(inside([bytes], GRAPH), INITIALIZER)) {
    for (const name of inside([tensor], NAME)) if (text(name) === input) name[0] = "_".charCodeAt(0);
  }
}

/** The fields of one number in each of some messages. */
const inside = (messages, number) =>
  messages.flatMap((message) => [...fields(message)].filter(([one]) => one === number).map(([, part]) => part));

/** The bytes that a text in base64 stands for. */
export const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/** The fields of a message in protobuf's wire format that have bytes: [number, bytes]. */
function* fields(bytes) {
  let at = 0;
  const number = () => {
    for (let value = 0, scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * scale;
      if (!(byte & 128)) return value;
    }
  };
  while (at < bytes.length) {
    const tag = number();
    const kind = tag % 8;
    if (kind === 0) number();
    else if (kind === 2) {
      const length = number();
      yield [Math.floor(tag / 8), bytes.subarray(at, (at += length))];
    } else at += kind === 1 ? 8 : 4;
  }
}
