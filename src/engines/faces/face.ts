/** What a picture shows. */
export type Face = {
  /** 128 numbers; those of one person lie close together. */
  descriptor: Float32Array;
  /** How far the tip of the nose is from the middle of the face, from -1 to 1; positive towards the person's left. */
  turn: number;
};
