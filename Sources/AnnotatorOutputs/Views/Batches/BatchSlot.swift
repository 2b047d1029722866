/// What stands in one place of a stored batch, which is a list.
enum BatchSlot: String {
  /// [B, 4] floats: top, left, height and width.
  case coords
  /// [B] truth values.
  case flip
  /// [B, 7] floats in the flip's place: centre, height and width of a patch, and its colour.
  case cutout
  /// A list for each operation: its index, its draw and its level, [B] each.
  case operations
  /// [B] integers: the slots of the partners; None without mixing.
  case mixIndex
  /// A float; None without mixing.
  case lambda
  /// Four integers: top, left, bottom and right; None without CutMix.
  case box
  /// [B, k] floats.
  case scores
  /// [B, k] integers.
  case ids
  /// [B] integers: the pictures.
  case pictures
  /// [B, 2, 2] integers, which is what a shuffle of patches would be told.
  case permutation

  /// The six that SRe2L has stored first, and most after it.
  static let six: [BatchSlot] = [.coords, .flip, .mixIndex, .lambda, .box, .scores]
}
