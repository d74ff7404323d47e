-- One of every kind of definition that a dump must bring back.
CREATE SCHEMA "Odd Schema";
CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'happy');
CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
CREATE TABLE people (
    id bigint GENERATED ALWAYS AS IDENTITY (START WITH 1 INCREMENT BY 1) PRIMARY KEY,
    name varchar(40) NOT NULL,
    mood mood DEFAULT 'it''s ok',
    mail email,
    born date DEFAULT '2000-01-01',
    score numeric(10,2) DEFAULT 1.50 CHECK (score >= 0),
    tags text[] DEFAULT '{}',
    doubled numeric GENERATED ALWAYS AS (score * 2) STORED,
    words tsvector GENERATED ALWAYS AS (to_tsvector('english', name)) STORED,
    made timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT name_is_long CHECK (length(name) > 1 OR mood = 'sad')
);
CREATE TABLE "Odd Schema"."Odd Table" (
    "Odd Column" integer,
    "select" text,
    person bigint,
    spot geography(Point,4326),
    shape geometry,
    CONSTRAINT "Odd Key" UNIQUE ("Odd Column", "select"),
    CONSTRAINT "Odd Reference" FOREIGN KEY (person) REFERENCES people(id)
        ON DELETE SET NULL ON UPDATE CASCADE
);
CREATE TABLE pairs (a int, b int, note text, PRIMARY KEY (b, a));
CREATE TABLE pieces (a int, b int, FOREIGN KEY (b, a) REFERENCES pairs (b, a) DEFERRABLE INITIALLY DEFERRED);
CREATE TABLE late (id serial, name text);
ALTER TABLE late ADD PRIMARY KEY (id);
ALTER TABLE late ADD COLUMN extra int DEFAULT 7;
ALTER TABLE late DROP COLUMN name;
CREATE TABLE nothing ();
CREATE SEQUENCE free AS integer START WITH 10 INCREMENT BY -5 MINVALUE -100 MAXVALUE 10 CACHE 3 CYCLE;
CREATE UNIQUE INDEX people_lower ON people (lower(name) DESC NULLS LAST);
CREATE INDEX people_happy ON people (born, score DESC) WHERE mood = 'happy';
CREATE INDEX people_words ON people USING gin (words);
CREATE INDEX odd_spot ON "Odd Schema"."Odd Table" USING gist (spot);
CREATE VIEW happy AS SELECT id, name AS who FROM people WHERE mood = 'happy';
CREATE VIEW happier AS SELECT count(*) AS n FROM happy;
COMMENT ON TABLE people IS 'who
is who';
COMMENT ON COLUMN people.name IS 'it''s a name';
COMMENT ON INDEX people_happy IS 'for the happy few';
COMMENT ON CONSTRAINT name_is_long ON people IS 'why';
COMMENT ON VIEW happy IS 'a view';
COMMENT ON TYPE mood IS 'a type';
COMMENT ON SEQUENCE free IS 'a sequence';
COMMENT ON SCHEMA "Odd Schema" IS 'a schema';
INSERT INTO people (name, mood, mail, score) VALUES
    ('Ann', 'happy', 'a@b', 1), ('Bo', 'sad', NULL, NULL), ('Cy', 'it''s ok', 'c@d', 3.25);
INSERT INTO "Odd Schema"."Odd Table" VALUES
    (1, 'x', 1, ST_SetSRID(ST_MakePoint(13.4, 52.5), 4326)::geography, ST_GeomFromText('LINESTRING(0 0,1 1)')),
    (NULL, NULL, NULL, NULL, NULL);
INSERT INTO pairs VALUES (1, 2, 'one'), (3, 4, NULL);
INSERT INTO pieces VALUES (1, 2), (NULL, 9);
INSERT INTO late DEFAULT VALUES;
INSERT INTO late DEFAULT VALUES;
SELECT nextval('free');
