/** Reads what an OpenTelemetry exporter sends: ExportTraceServiceRequest, in protobuf. */

export interface SentSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: the first of its trace. */
  readonly parentId: string;
  readonly name: string;
  /** 2: a request that was served; 3: a call that was made. */
  readonly kind: number;
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

type Field = { readonly number: number; readonly value: Buffer | bigint };

/** Protobuf without its schema: what stands in a message, in order. */
function* fieldsOf(message: Buffer): Generator<Field> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = BigInt(message[at++] ?? 0);
      value |= (byte & 127n) << shift;
      if (byte < 128n) return value;
    }
  };
  const take = (length: number): Buffer => {
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const tag = Number(varint());
    const number = tag >> 3;
    switch (tag & 7) {
      case 0:
        yield { number, value: varint() };
        break;
      case 1:
        yield { number, value: take(8) };
        break;
      case 2:
        yield { number, value: take(Number(varint())) };
        break;
      case 5:
        yield { number, value: take(4) };
        break;
      default:
        throw new Error(`There is no wire type ${tag & 7}.`);
    }
  }
}

function all(message: Buffer, number: number): readonly Buffer[] {
  return [...fieldsOf(message)].flatMap((field) =>
    field.number === number && Buffer.isBuffer(field.value) ? [field.value] : [],
  );
}

function numberIn(message: Buffer, number: number): number {
  const field = [...fieldsOf(message)].find((one) => one.number === number);
  return typeof field?.value === 'bigint' ? Number(field.value) : 0;
}

const textIn = (message: Buffer, number: number) => String(all(message, number)[0] ?? '');
const hexIn = (message: Buffer, number: number) => all(message, number)[0]?.toString('hex') ?? '';

function valueIn(anyValue: Buffer): string | number | boolean {
  const field = [...fieldsOf(anyValue)][0];
  if (field === undefined) return '';
  if (typeof field.value === 'bigint') {
    return field.number === 2 ? field.value === 1n : Number(field.value);
  }
  return field.number === 4 ? field.value.readDoubleLE() : field.value.toString();
}

export function readSpans(request: Buffer): readonly SentSpan[] {
  const spans = all(request, 1)
    .flatMap((resource) => all(resource, 2))
    .flatMap((scope) => all(scope, 2));
  return spans.map((span) => ({
    traceId: hexIn(span, 1),
    spanId: hexIn(span, 2),
    parentId: hexIn(span, 4),
    name: textIn(span, 5),
    kind: numberIn(span, 6),
    facts: Object.fromEntries(
      all(span, 9).map((fact) => [textIn(fact, 1), valueIn(all(fact, 2)[0] ?? Buffer.alloc(0))]),
    ),
    links: all(span, 13).map((link) => ({ traceId: hexIn(link, 1), spanId: hexIn(link, 2) })),
  }));
}
