/// Style and scripts of pages, which are embedded in the program.
enum Assets {
  /// How a kind of page looks: what all pages share, then its own.
  static func style(of kind: Page.Kind) -> String {
    ([PackageResources.page_css] + styles(kind)).map(text).joined(separator: "\n")
  }

  private static func styles(_ kind: Page.Kind) -> [[UInt8]] {
    switch kind {
    case .browse: [PackageResources.view_css, PackageResources.browse_css]
    case .difference: []
    case .report: [PackageResources.report_css]
    case .view: [PackageResources.view_css]
    }
  }

  /// The script of a kind of page: what all pages share, then what draws this kind.
  static func script(of kind: Page.Kind) -> String {
    ([shared] + own(kind).map(text)).joined(separator: "\n")
  }

  private static let shared: String =
    [
      PackageResources.elements_js, PackageResources.palette_js, PackageResources.factors_js,
      PackageResources.pooling_js, PackageResources.map_js,
    ].map(text).joined(separator: "\n")

  private static func own(_ kind: Page.Kind) -> [[UInt8]] {
    switch kind {
    case .browse:
      viewed + [
        PackageResources.server_js, PackageResources.tile_js, PackageResources.marks_js,
        PackageResources.detail_js, PackageResources.browse_js,
      ]
    case .difference: [PackageResources.drawing_js, PackageResources.difference_js]
    case .view: viewed + [PackageResources.view_page_js]
    case .report:
      [
        PackageResources.charts_js, PackageResources.sheets_js, PackageResources.report_js,
        PackageResources.report_tables_js,
      ]
    }
  }

  /// One image with its crop box, in its own page and opened in the browser's.
  private static let viewed: [[UInt8]] =
    [
      PackageResources.view_stage_js, PackageResources.view_crop_js,
      PackageResources.view_panels_js, PackageResources.view_controls_js, PackageResources.view_js,
    ]

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
