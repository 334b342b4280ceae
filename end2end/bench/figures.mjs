// Prints figures as all benches do: ours, the peer's, and the ratio, one per line.

/** `better` says which way is good: "more" or "less". A ratio above 1 is in our favour. */
export function figure({ name, ours, unit, peer, theirs, better = "more" }) {
  const ratio = theirs === undefined ? "" : `  ${(better === "more" ? ours / theirs : theirs / ours).toFixed(2)} x`;
  const beside = theirs === undefined ? "" : `  | ${peer}: ${show(theirs)} ${unit}`;
  console.log(`${name}: ${show(ours)} ${unit}${beside}${ratio}`);
}

function show(value) {
  return value >= 100 ? Math.round(value).toString() : value.toPrecision(3);
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
