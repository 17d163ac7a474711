// Where and when a photo was taken, as its file says: a small reader of the EXIF part of a JPEG. It reads the few tags that are
// needed, believes no length or offset, and says nothing rather than something wrong. Pure.

export interface Taken {
  place: { latitude: number; longitude: number } | null;
  /** RFC 3339; a time without a zone is the reader's. */
  at: string | null;
}

const NOTHING: Taken = { place: null, at: null };
const APP1 = 0xe1;
const START_OF_SCAN = 0xda;
const EXIF = [0x45, 0x78, 0x69, 0x66, 0, 0];
const TAG = {
  exifPart: 0x8769,
  gpsPart: 0x8825,
  latitudeRef: 1,
  latitude: 2,
  longitudeRef: 3,
  longitude: 4,
  takenAt: 0x9003,
  takenOffset: 0x9011,
} as const;
const ASCII = 2;
const LONG = 4;
const RATIONAL = 5;
const SIZE: Record<number, number> = { [ASCII]: 1, [LONG]: 4, [RATIONAL]: 8 };
/** The most entries of a directory that are looked at. */
const ENTRIES_MAX = 500;
/** A text is no longer than a time with its zone. */
const TEXT_MAX = 40;

export function readTaken(file: ArrayBuffer): Taken {
  try {
    const tiff = exifOf(new DataView(file));
    return tiff ? takenOf(new Tiff(tiff)) : NOTHING;
  } catch (error) {
    // An offset that leads out of the file: a broken EXIF part says nothing.
    if (error instanceof RangeError) return NOTHING;
    throw error;
  }
}

/** The EXIF part of a JPEG, behind its name. */
function exifOf(view: DataView): DataView | null {
  if (view.byteLength < 4 || view.getUint16(0) !== 0xffd8) return null;
  let at = 2;
  while (at + 4 <= view.byteLength) {
    const marker = view.getUint16(at);
    if (marker >> 8 !== 0xff || (marker & 0xff) === START_OF_SCAN) return null;
    const length = view.getUint16(at + 2);
    if (length < 2) return null;
    const body = at + 4;
    const isExif = EXIF.every((byte, i) => view.getUint8(body + i) === byte);
    if ((marker & 0xff) === APP1 && isExif) {
      return new DataView(view.buffer, view.byteOffset + body + EXIF.length, length - 2 - EXIF.length);
    }
    at += 2 + length;
  }
  return null;
}

function takenOf(tiff: Tiff): Taken {
  const main = tiff.directory(tiff.first);
  const [exif, gps] = [TAG.exifPart, TAG.gpsPart].map((tag) => {
    const at = main.get(tag)?.numbers?.[0];
    return at === undefined ? null : tiff.directory(at);
  });
  return { place: gps ? placeOf(gps) : null, at: exif ? timeOf(exif) : null };
}

type Directory = ReadonlyMap<number, Value>;

function placeOf(gps: Directory): Taken['place'] {
  const latitude = degrees(gps, TAG.latitude, TAG.latitudeRef, { N: 1, S: -1 }, 90);
  const longitude = degrees(gps, TAG.longitude, TAG.longitudeRef, { E: 1, W: -1 }, 180);
  return latitude === null || longitude === null ? null : { latitude, longitude };
}

/** Degrees, minutes and seconds as degrees, to a millionth. */
function degrees(gps: Directory, tag: number, ref: number, signs: Record<string, number>, most: number) {
  const parts = gps.get(tag)?.numbers ?? [];
  const sign = signs[gps.get(ref)?.text ?? ''];
  const [whole, minutes = 0, seconds = 0] = parts;
  if (whole === undefined || sign === undefined) return null;
  const value = sign * (whole + minutes / 60 + seconds / 3600);
  return Number.isFinite(value) && Math.abs(value) <= most ? Math.round(value * 1e6) / 1e6 : null;
}

function timeOf(exif: Directory): string | null {
  const written = /^(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)$/.exec(exif.get(TAG.takenAt)?.text ?? '');
  if (!written) return null;
  const [, year, month, day, hour, minute, second] = written;
  const zone = /^(Z|[+-]\d\d:\d\d)$/.exec(exif.get(TAG.takenOffset)?.text ?? '')?.[0] ?? '';
  const at = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}

interface Value {
  text?: string;
  numbers?: number[];
}

/** The structure in which EXIF stands: directories of tags, in either order of bytes. */
class Tiff {
  readonly first: number;
  readonly #little: boolean;

  constructor(private readonly view: DataView) {
    this.#little = view.getUint16(0) === 0x4949;
    if (view.getUint16(2, this.#little) !== 42) throw new RangeError('no TIFF');
    this.first = view.getUint32(4, this.#little);
  }

  directory(at: number): Directory {
    const entries = new Map<number, Value>();
    const count = Math.min(this.view.getUint16(at, this.#little), ENTRIES_MAX);
    for (let i = 0; i < count; i += 1) {
      const entry = at + 2 + 12 * i;
      const value = this.#value(entry);
      if (value) entries.set(this.view.getUint16(entry, this.#little), value);
    }
    return entries;
  }

  #value(entry: number): Value | null {
    const type = this.view.getUint16(entry + 2, this.#little);
    const count = this.view.getUint32(entry + 4, this.#little);
    const size = SIZE[type];
    if (!size || count > (type === ASCII ? TEXT_MAX : 3)) return null;
    // Up to four bytes stand in the entry itself.
    const at = size * count <= 4 ? entry + 8 : this.view.getUint32(entry + 8, this.#little);
    if (type === ASCII) return { text: this.#text(at, count) };
    const numbers = Array.from({ length: count }, (_, i) => this.#number(type, at + size * i));
    return { numbers };
  }

  #text(at: number, count: number): string {
    const bytes = Array.from({ length: count }, (_, i) => this.view.getUint8(at + i));
    return String.fromCharCode(...bytes)
      .replace(/\0.*$/s, '')
      .trim();
  }

  #number(type: number, at: number): number {
    const first = this.view.getUint32(at, this.#little);
    return type === LONG ? first : first / this.view.getUint32(at + 4, this.#little);
  }
}
