import Relabel
import RelabelVerification

/// The images that are kept already, by key and by image index.
///
/// Takes about 60 bytes an image and what keys take.
struct KeptImages {
  private var keys = KeyList()
  private var shards: [Int] = []
  private var placesOfHash: [UInt64: Int] = [:]
  private var placesOfIndex: [Int64: Int] = [:]

  /// The number of the shard whose image of this key is kept, or nil.
  func shard(ofKey key: String) -> Int? {
    var hash = KeyHash.of(key.utf8)
    while let place = placesOfHash[hash] {
      if keys[place]?.utf8.elementsEqual(key.utf8) == true { return shards[place] }
      hash &+= 1
    }
    return nil
  }

  /// The places of views by what tells them apart.
  private var viewsOfKey: [UInt64: Set<Int32>] = [:]

  /// Keeps a view, unless another has its key and its number, or its image another index.
  ///
  /// - Returns: as for an image.
  mutating func keep(
    _ key: String,
    _ imageIndex: Int64,
    view: Int32,
    shard: Int
  ) -> (what: String, shard: Int)? {
    var hash = KeyHash.of(key.utf8)
    while let place = placesOfHash[hash], keys[place]?.utf8.elementsEqual(key.utf8) != true {
      hash &+= 1
    }
    if let place = placesOfHash[hash] {
      if placesOfIndex[imageIndex] != place {
        return ("key and another image index", shards[place])
      }
      let isNew = viewsOfKey[hash, default: []].insert(view).inserted
      return isNew ? nil : ("key and view", shards[place])
    }
    viewsOfKey[hash] = [view]
    return keep(key, imageIndex, shard: shard)
  }

  /// Keeps an image, unless another has its key or its image index.
  ///
  /// - Parameters:
  ///   - key: the image's key.
  ///   - imageIndex: its image index.
  ///   - shard: a number of its shard.
  /// - Returns: nil, or what the two share and the number of the other's shard.
  mutating func keep(
    _ key: String,
    _ imageIndex: Int64,
    shard: Int
  ) -> (what: String, shard: Int)? {
    var hash = KeyHash.of(key.utf8)
    while let place = placesOfHash[hash] {
      if keys[place]?.utf8.elementsEqual(key.utf8) == true { return ("key", shards[place]) }
      hash &+= 1
    }
    if let place = placesOfIndex[imageIndex] { return ("image index", shards[place]) }
    placesOfHash[hash] = shards.count
    placesOfIndex[imageIndex] = shards.count
    keys.append(key)
    shards.append(shard)
    return nil
  }
}
