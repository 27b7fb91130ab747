// QR codes as PNG images through libpng: 1-bit grey, the smallest form that every reader knows.
//
// libpng reports errors by a function that must not return. All arguments are in their ranges and the sink is
// memory, so what is left is exhausted memory, which ends the process as it does everywhere in Swift.

internal import CPNG

extension QRCode {
  /// Pixels a module.
  public static let scales = 1...64

  /// The code with its quiet zone as a PNG file, `scale` pixels a module (one of `scales`).
  public func png(scale: Int = 8) -> [UInt8] {
    precondition(Self.scales.contains(scale), "pixels a module: \(Self.scales)")
    let pixels = (side + 2 * Self.quietZone) * scale
    let rows = (-Self.quietZone..<side + Self.quietZone).map { row(y: $0, pixels: pixels, scale: scale) }
    var file: [UInt8] = []
    withUnsafeMutablePointer(to: &file) { sink in
      var png = png_create_write_struct(
        PNG_LIBPNG_VER_STRING, nil, { fail($1) }, { _, _ in })
      guard png != nil, var info = png_create_info_struct(png) else { fatalError("libpng: out of memory") }
      png_set_write_fn(png, sink, { append(to: $0, $1, $2) }, { _ in })
      png_set_IHDR(
        png, info, png_uint_32(pixels), png_uint_32(pixels), 1, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
        PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT)
      png_write_info(png, info)
      for row in rows {
        for _ in 0..<scale { png_write_row(png, row) }
      }
      png_write_end(png, info)
      withUnsafeMutablePointer(to: &info) { info in
        info.withMemoryRebound(to: png_infop?.self, capacity: 1) { png_destroy_write_struct(&png, $0) }
      }
    }
    return file
  }

  /// One line of pixels: 1 is white, the first pixel the highest bit, the last byte filled up with white.
  private func row(y: Int, pixels: Int, scale: Int) -> [UInt8] {
    var bits = [UInt8](repeating: 0xff, count: (pixels + 7) / 8)
    for pixel in 0..<pixels where isDark(x: pixel / scale - Self.quietZone, y: y) {
      bits[pixel / 8] &= ~(0x80 >> UInt8(pixel % 8))
    }
    return bits
  }
}

/// What libpng writes with: its io pointer is the array that becomes the file.
private func append(to png: png_structp?, _ bytes: png_bytep?, _ count: Int) {
  let file = png_get_io_ptr(png).assumingMemoryBound(to: [UInt8].self)
  file.pointee.append(contentsOf: UnsafeBufferPointer(start: bytes, count: count))
}

private func fail(_ message: png_const_charp?) -> Never {
  fatalError("libpng: " + (message.map { String(cString: $0) } ?? "unknown error"))
}
