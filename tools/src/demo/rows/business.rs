//! Businesses, close together around the centres of cities.

use std::fmt::Write;

use super::super::{Dataset, Draw, words};
use super::{Source, Table, tag};

/// How far from the centre a business may be, in degrees of latitude: about 17 km.
const SPREAD: f64 = 0.15;

/// `businesses`.
pub const TABLE: Table = Table {
    name: "businesses",
    copy: "COPY businesses (id, name, category, price_level, city, geog, rating_sum, rating_count, \
           popularity) FROM STDIN",
    count: Dataset::businesses,
    write,
};

/// A place near the centre of some city: its name, longitude and latitude.
pub fn place(draw: &mut Draw) -> (&'static str, f64, f64) {
    let &(city, longitude, latitude) = draw.pick(&words::CITIES);
    // A degree of longitude is shorter away from the equator.
    let stretch = latitude.to_radians().cos().max(0.2);
    let longitude = longitude + SPREAD * draw.around_zero() / stretch;
    (city, longitude, latitude + SPREAD * draw.around_zero())
}

/// A word that names what some business is.
pub fn kind(draw: &mut Draw) -> &'static str {
    draw.pick(&words::KINDS).0
}

fn write(source: &Source, row: u64, out: &mut String) {
    let mut draw = Draw::new(source.dataset.seed, tag::BUSINESS, row);
    let (adjective, noun) = (draw.pick(&words::ADJECTIVES), draw.pick(&words::NOUNS));
    let (kind, category) = draw.pick(&words::KINDS);
    let price = 1 + draw.below(4);
    let (city, longitude, latitude) = place(&mut draw);
    let rating = source.rating(row);
    let popularity = draw.unit();
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "{id}\t{adjective} {noun} {kind}\t{category}\t{price}\t{city}\t\
         SRID=4326;POINT({longitude:.6} {latitude:.6})\t{sum}\t{count}\t{popularity:.3}",
        id = row + 1,
        sum = rating.sum,
        count = rating.count,
    );
}
