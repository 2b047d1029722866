internal import Relabel

extension ShardHeader {
  /// Refuses maps of factors, whose ids are no classes that a page could draw.
  ///
  /// - Throws: `.usage` naming what shows such maps.
  func refuseFactors(of path: String) throws(RelabelError) {
    guard hasFactors else { return }
    throw RelabelError(
      .usage,
      "these maps are sums of factors, which pages don't draw yet: relabel show and relabel pool show one, and"
        + " packing without --maps factors gives maps that pages draw",
      at: Location(file: path)
    )
  }
}
