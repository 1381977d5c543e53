/** A field of a protobuf message: its number, and its value as bytes (length-delimited) or as a number. */
export interface ProtoField {
  readonly number: number;
  readonly bytes: Buffer;
  readonly value: bigint;
}

const NO_BYTES = Buffer.alloc(0);

/** Reads one message's fields (https://protobuf.dev/programming-guides/encoding), without a schema. */
export function readProto(message: Buffer): ProtoField[] {
  const fields: ProtoField[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(at);
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = Number(varint());
    const number = tag >> 3;
    const type = tag & 7;
    if (type === 0) {
      fields.push({ number, bytes: NO_BYTES, value: varint() });
    } else if (type === 1) {
      fields.push({ number, bytes: message.subarray(at, at + 8), value: message.readBigUInt64LE(at) });
      at += 8;
    } else if (type === 2) {
      const length = Number(varint());
      fields.push({ number, bytes: message.subarray(at, at + length), value: 0n });
      at += length;
    } else if (type === 5) {
      fields.push({ number, bytes: message.subarray(at, at + 4), value: BigInt(message.readUInt32LE(at)) });
      at += 4;
    } else {
      throw new Error(`unknown protobuf wire type ${type}`);
    }
  }
  return fields;
}

/** The length-delimited fields of that number. */
export function children(message: Buffer, number: number): Buffer[] {
  return readProto(message)
    .filter((field) => field.number === number)
    .map((field) => field.bytes);
}
