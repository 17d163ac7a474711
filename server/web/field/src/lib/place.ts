// A place on the earth, in words that every language has.

/** `31.23042° N, 121.47370° E`. */
export function placeText({ latitude, longitude }: { latitude: number; longitude: number }): string {
  const part = (value: number, positive: string, negative: string) =>
    `${Math.abs(value).toFixed(5)}° ${value < 0 ? negative : positive}`;
  return `${part(latitude, 'N', 'S')}, ${part(longitude, 'E', 'W')}`;
}
