-- The account of the service, as config/coupon.yaml names it for development; the service makes its tables itself.
CREATE DATABASE IF NOT EXISTS eshop_coupon CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS 'coupon'@'%' IDENTIFIED BY 'coupon';
GRANT ALL PRIVILEGES ON `eshop\_coupon`.* TO 'coupon'@'%';
