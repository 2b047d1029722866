internal import PageAssets

/// Style and scripts of pages, which are embedded in the program.
enum Assets {
  /// How a kind of page looks: what all pages share, then its own.
  static func style(of kind: Page.Kind) -> String {
    ([page_style()] + styles(kind)).map { String(cString: $0) }.joined()
  }

  private static func styles(_ kind: Page.Kind) -> [UnsafePointer<CChar>] {
    switch kind {
    case .browse: [view_style(), browse_style()]
    case .difference: []
    case .report: [report_style()]
    case .view: [view_style()]
    }
  }

  /// The script of a kind of page: what all pages share, then what draws this kind.
  static func script(of kind: Page.Kind) -> String {
    ([page_script()] + scripts(kind)).map { String(cString: $0) }.joined()
  }

  private static func scripts(_ kind: Page.Kind) -> [UnsafePointer<CChar>] {
    switch kind {
    case .browse: [viewer_script(), browse_script()]
    case .difference: [difference_script()]
    case .report: [report_script()]
    case .view: [viewer_script(), view_script()]
    }
  }
}
