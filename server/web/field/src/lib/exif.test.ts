import { describe, expect, it } from 'vitest';
import { readTaken } from './exif';

type Entry = [tag: number, type: number, values: string | number[]];
const [ASCII, LONG, RATIONAL] = [2, 4, 5];

/** The EXIF part of a photo: a main directory that leads to one of the camera's and one of the place. */
function tiff(little: boolean, exif: Entry[], gps: Entry[]): Uint8Array {
  const bytes: number[] = [];
  const int = (value: number, size: number) => {
    const all = Array.from({ length: size }, (_, i) => (value >>> (8 * i)) & 0xff);
    bytes.push(...(little ? all : all.reverse()));
  };
  const sizeOf = (entries: Entry[]) => 2 + 12 * entries.length + 4;
  const main = (at: number, rest: number): Entry[] => [
    [0x8769, LONG, [at]],
    [0x8825, LONG, [rest]],
  ];
  const exifAt = 8 + sizeOf(main(0, 0));
  const gpsAt = exifAt + sizeOf(exif);
  let dataAt = gpsAt + sizeOf(gps);
  const data: (() => void)[] = [];

  bytes.push(...(little ? [0x49, 0x49] : [0x4d, 0x4d]));
  int(42, 2);
  int(8, 4);
  for (const entries of [main(exifAt, gpsAt), exif, gps]) {
    int(entries.length, 2);
    for (const [tag, type, values] of entries) {
      const text = typeof values === 'string' ? `${values}\0` : null;
      const numbers = typeof values === 'string' ? [] : values;
      int(tag, 2);
      int(type, 2);
      int(text?.length ?? (type === RATIONAL ? numbers.length / 2 : numbers.length), 4);
      const write = () => {
        if (text !== null) bytes.push(...[...text].map((char) => char.charCodeAt(0)));
        else for (const number of numbers) int(number, 4);
      };
      const size = text?.length ?? 4 * numbers.length;
      if (size <= 4) {
        write();
        for (let i = size; i < 4; i += 1) bytes.push(0);
      } else {
        int(dataAt, 4);
        dataAt += size;
        data.push(write);
      }
    }
    int(0, 4);
  }
  for (const write of data) write();
  return Uint8Array.from(bytes);
}

/** A JPEG of headers alone: another part first, as cameras write it. */
function jpeg(exif: Uint8Array): Uint8Array {
  const part = (marker: number, body: Uint8Array) => {
    const length = body.length + 2;
    return [0xff, marker, length >> 8, length & 0xff, ...body];
  };
  const named = Uint8Array.from([0x45, 0x78, 0x69, 0x66, 0, 0, ...exif]);
  return Uint8Array.from([0xff, 0xd8, ...part(0xe0, new Uint8Array(14)), ...part(0xe1, named), 0xff, 0xda]);
}

const read = (bytes: Uint8Array) => readTaken(bytes.slice().buffer);

const TIME: Entry[] = [
  [0x9003, ASCII, '2026:03:01 10:20:30'],
  [0x9011, ASCII, '+08:00'],
];
const place = (latitude: number[], north: string, longitude: number[], east: string): Entry[] => [
  [1, ASCII, north],
  [2, RATIONAL, latitude],
  [3, ASCII, east],
  [4, RATIONAL, longitude],
];
const HERE = place([31, 1, 13, 1, 4950, 100], 'N', [121, 1, 28, 1, 1200, 100], 'E');

describe('where and when a photo was taken', () => {
  it.each([true, false])('is read in either order of bytes (little: %s)', (little) => {
    expect(read(jpeg(tiff(little, TIME, HERE)))).toEqual({
      place: { latitude: 31.230417, longitude: 121.47 },
      at: '2026-03-01T02:20:30.000Z',
    });
  });

  it('is negative in the south and in the west', () => {
    const there = place([33, 1, 30, 1, 0, 1], 'S', [70, 1, 15, 1, 0, 1], 'W');
    expect(read(jpeg(tiff(true, [], there))).place).toEqual({ latitude: -33.5, longitude: -70.25 });
  });

  it('is the time of the reader where the camera names no zone', () => {
    const at = read(jpeg(tiff(true, TIME.slice(0, 1), []))).at;
    expect(at).toBe(new Date('2026-03-01T10:20:30').toISOString());
  });

  it.each([
    ['a share by zero', place([31, 0, 13, 1, 0, 1], 'N', [121, 1, 0, 1, 0, 1], 'E')],
    ['a place beyond the pole', place([91, 1, 0, 1, 0, 1], 'N', [121, 1, 0, 1, 0, 1], 'E')],
    ['no side of the equator', place([31, 1, 0, 1, 0, 1], '?', [121, 1, 0, 1, 0, 1], 'E')],
    ['half a place', HERE.slice(0, 2)],
  ])('is unknown with %s', (_, gps) => {
    expect(read(jpeg(tiff(true, [], gps)))).toEqual({ place: null, at: null });
  });

  it.each(['2026:13:45 10:20:30', '0000:00:00 00:00:00', 'yesterday'])('is no time: %s', (time) => {
    expect(read(jpeg(tiff(true, [[0x9003, ASCII, time]], []))).at).toBeNull();
  });

  it('is unknown in what is no JPEG, or has no such part', () => {
    const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    for (const bytes of [new Uint8Array(0), png, Uint8Array.from([0xff, 0xd8, 0xff, 0xda, 0, 2])])
      expect(read(bytes)).toEqual({ place: null, at: null });
  });

  it('says nothing, and fails never, however the file is cut or damaged', () => {
    const whole = jpeg(tiff(false, TIME, HERE));
    for (let length = 0; length < whole.length; length += 1) read(whole.slice(0, length));
    for (let at = 0; at < whole.length; at += 1) {
      const damaged = whole.slice();
      damaged[at] = 0xff;
      const { place: found } = read(damaged);
      if (found) expect(Math.abs(found.latitude)).toBeLessThanOrEqual(90);
    }
  });
});
