// How light and how sharp a small square picture is: the same measures as the server's.

// Luminance of each pixel, as the server weighs it.
export function grey({ data }) {
  const values = new Float32Array(data.length / 4);
  for (let i = 0; i < values.length; i += 1) {
    values[i] = 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2];
  }
  return values;
}

export function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function variance(values) {
  const middle = mean(values);
  return mean(values.map((value) => (value - middle) ** 2));
}

// Variance of the Laplacian as a share of the variance; a picture of one grey is not blurred.
export function sharpness(values, side) {
  const spread = variance(values);
  if (spread < 1) return Infinity;
  const details = [];
  for (let y = 1; y < side - 1; y += 1) {
    for (let x = 1; x < side - 1; x += 1) {
      const i = y * side + x;
      details.push(4 * values[i] - values[i - 1] - values[i + 1] - values[i - side] - values[i + side]);
    }
  }
  return variance(details) / spread;
}
