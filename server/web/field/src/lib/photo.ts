// A photo made small enough to be kept and sent: at most 1600 pixels on its longer side, upright, without what the camera wrote
// into the file. Where and when it was taken is read first.

import { readTaken, type Taken } from './exif';

export const SIDE_MAX_PX = 1_600;
const QUALITY = 0.8;

export interface Photo {
  bytes: Blob;
  taken: Taken;
}

/** The size within the limit, in the same proportion. */
export function fitted(width: number, height: number): { width: number; height: number } {
  const by = Math.min(1, SIDE_MAX_PX / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * by)), height: Math.max(1, Math.round(height * by)) };
}

/** Fails where the browser cannot read the file as an image. */
export async function prepare(file: File): Promise<Photo> {
  const taken = readTaken(await file.arrayBuffer());
  const bitmap = await createImageBitmap(file, { imageOrientation: 'from-image' });
  try {
    const canvas = document.createElement('canvas');
    Object.assign(canvas, fitted(bitmap.width, bitmap.height));
    canvas.getContext('2d')!.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    return { bytes: await toBlob(canvas, 'image/jpeg', QUALITY), taken };
  } finally {
    bitmap.close();
  }
}

export function toBlob(canvas: HTMLCanvasElement, type: string, quality?: number): Promise<Blob> {
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no image'))), type, quality),
  );
}
