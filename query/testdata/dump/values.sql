-- Values that are hard to print or to read back.
CREATE TYPE color AS ENUM ('red', 'light green');
CREATE TABLE numbers (a smallint, b integer, c bigint, d numeric, e numeric(20,5), f real, g double precision, h boolean);
INSERT INTO numbers VALUES
    (-32768, -2147483648, -9223372036854775808, -0.000000000000000000001, 1.5, 1e-40, 5e-324, true),
    (32767, 2147483647, 9223372036854775807, 123456789012345678901234567890.123, -99999.99999, 3.4028235e38, 0.1, false),
    (NULL, NULL, NULL, 'NaN', NULL, 'NaN', 'Infinity', NULL),
    (0, 0, 0, 'Infinity', 0, '-Infinity', '-0', NULL);
CREATE TABLE texts (a text, b varchar(10), c char(5), d bytea, e uuid, f jsonb, g json, h color);
INSERT INTO texts VALUES
    ('', '', '', '', '00000000-0000-0000-0000-000000000000', 'null', 'null', 'red'),
    (E'tab\there\nline\\back\r\b\f\v', 'ü€😀', 'ab', '\x00ff5c0a', 'ffffffff-ffff-ffff-ffff-ffffffffffff',
     '{"a": [1, 2.50, "x\ty"], "b": null, "c": {"d": true}}', '{"z" : 1,  "a":"\u00e9"}', 'light green'),
    ('\N', '\.', NULL, NULL, NULL, NULL, NULL, NULL),
    (NULL, 'null', 'NULL', '\x', NULL, '"quoted \"text\""', '[]', NULL);
CREATE TABLE times (a date, b time, c timetz, d timestamp, e timestamptz, f interval);
INSERT INTO times VALUES
    ('0044-03-15 BC', '00:00', '23:59:59.999999+14', '4713-01-01 00:00:00 BC', '2024-02-29 12:00:00.000001+02', '1 year -2 mons +3 days -04:05:06.7'),
    ('infinity', '24:00', '00:00-12', 'infinity', 'infinity', '-178000000 years'),
    ('9999-12-31', '12:34:56.7', '01:02:03+00', '2000-01-01', '1970-01-01 00:00:00Z', '0');
CREATE TABLE lists (a integer[], b text[], c numeric[], d timestamptz[], e integer[][], f color[]);
INSERT INTO lists VALUES
    ('{}', '{}', '{}', '{}', '{}', '{}'),
    ('{1,NULL,3}', ARRAY['a,b', 'c"d', 'e\f', '', 'NULL', NULL, ' x ', '{y}'], '{1.0,NaN}',
     '{"2024-01-01 00:00:00+00"}', '{{1,2},{3,4}}', '{red,"light green"}'),
    ('[2:3]={7,8}', NULL, NULL, NULL, NULL, NULL);
CREATE TABLE words (a tsvector, b tsquery, c tsvector GENERATED ALWAYS AS (setweight(to_tsvector('english', coalesce(d, '')), 'A')) STORED, d text);
INSERT INTO words (a, b, d) VALUES
    ('''it''''s'':1A,5 plain \\back:2', 'a & !(b | c:*A) <2> d', 'The quick brown foxes'),
    ('', '', NULL);
CREATE TABLE shapes (a geography(Point,4326), b geometry(Polygon,4326), c geometry, d geography);
INSERT INTO shapes VALUES
    ('POINT(-122.4194 37.7749)', ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))', 4326), 'POINT EMPTY', 'LINESTRING(0 0,10 10)'),
    (NULL, NULL, ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))'), NULL);
CREATE TABLE ranges (a int4range, b numrange, c tstzrange, d daterange);
INSERT INTO ranges VALUES
    ('[1,5)', '(1.5,]', '[2024-01-01 00:00:00+00,2024-02-01 00:00:00+00)', 'empty'),
    (NULL, '(,)', NULL, '[2024-01-01,)');
