/// Which axis of the stored grid runs along which side of the crop box (spec, section 13.1).
public enum PoolingProfile: String, Hashable, Sendable, CaseIterable {
  /// As the orientation says; maps of unknown orientation are read as `yx`.
  case relabel
  /// As the code released with the paper does: the box's rows along the grid's columns, whatever
  /// the maps mean.
  case relabel2021 = "relabel-2021"
}

/// What to do with a box that leaves the part of the picture that the map covers (spec, 13.2).
public enum OutsideExtent: String, Hashable, Sendable, CaseIterable {
  /// It is an error.
  case error
  /// The box is cut to the extent, and the covered share is returned with the target.
  case clamp
}

extension PoolingProfile {
  /// True when the grid's first axis takes the box's left and width.
  package func isTransposed(_ orientation: Orientation) -> Bool {
    self == .relabel2021 || orientation == .xy
  }
}
