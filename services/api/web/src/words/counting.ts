// Numbers of things.

export const one = (n: number, single: string, several = `${single}s`) =>
  `${n.toLocaleString("en")} ${n === 1 ? single : several}`;
