import Relabel

/// Copies of one map that are equal byte for byte: samplers of distributed runs hand some pictures to two ranks, so
/// that each gets as many.
enum EqualCopy {
  /// True when two images of one key, from two places, are the same map.
  ///
  /// An image that can't be read is not a copy of anything; its error names it.
  /// - Throws: `.internalFault`.
  static func isCopy(_ one: Entry, _ other: Entry, key: String) throws(RelabelError) -> Bool {
    let (first, second) = (one.place.description(key: key), other.place.description(key: key))
    guard first != second, case .map(let description, let region) = one.payload,
      case .map(let otherDescription, let otherRegion) = other.payload
    else { return false }
    do throws(RelabelError) {
      if case .rows = region.storage, case .rows = otherRegion.storage {
        // Kept decoded: equal files are equal maps that say the same of themselves.
        let (traits, otherTraits) = (description.traits, otherDescription.traits)
        guard traits.scoreKind == otherTraits.scoreKind,
          traits.denseClasses == otherTraits.denseClasses
        else { return false }
        let loaded = try description.load(region, wantsDense: false) { first }
        let other = try otherDescription.load(otherRegion, wantsDense: false) { second }
        return loaded.map == other.map && loaded.logNormalizer == other.logNormalizer
      }
      guard description.isEqual(to: otherDescription), region.count == otherRegion.count else {
        return false
      }
      return try region.read(limit: Limits.denseBytes, path: first)
        == otherRegion.read(limit: Limits.denseBytes, path: second)
    } catch {
      if error.code == .internalFault { throw error }
      return false
    }
  }

  /// What is said of a copy.
  static func words(of copy: Place, and kept: Place, key: String) -> String {
    "'\(copy.description(key: key))' is '\(kept.description(key: key))'"
  }
}

extension Entry {
  /// The digest of the bytes of an image that is held in memory.
  var digest: String? {
    guard case .map(_, let region) = payload, case .memory(let bytes) = region.storage else {
      return nil
    }
    return Digest.of(Array(bytes[region.offset..<region.offset + region.count]))
  }
}
