import { Module } from '@nestjs/common';
import { CouponController } from './coupon.controller.js';
import { CouponService } from './coupon.service.js';
import { CouponSagaController } from './coupon-saga.controller.js';
import { CouponUsage } from './coupon-usage.js';

@Module({ controllers: [CouponController, CouponSagaController], providers: [CouponService, CouponUsage] })
export class CouponModule {}
