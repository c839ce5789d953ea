-- How many reviews a product has and how many stars they give, so that no read counts rows. average is in tenths, rounded
-- half up, NULL without a review. Narrow, and pointed at by no foreign key; a product without a row has no review.
CREATE TABLE IF NOT EXISTS product_ratings (
    product_id BIGINT UNSIGNED NOT NULL PRIMARY KEY,
    reviews INT NOT NULL,
    stars BIGINT NOT NULL,
    average TINYINT GENERATED ALWAYS AS ((stars * 20 + reviews) DIV NULLIF(reviews * 2, 0)) STORED,
    KEY product_ratings_average (average, product_id)
) ENGINE = InnoDB
