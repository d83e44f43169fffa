import { ApiProperty, ApiSchema } from '@nestjs/swagger';

/** The component of one broken rule. */
@ApiSchema({ name: 'Violation', description: 'One rule that the request breaks.' })
export class ViolationComponent {
  @ApiProperty({ type: 'string', description: 'Path of the field, empty for the whole request.', example: 'productID' })
  declare field: string;

  @ApiProperty({ type: 'string', description: 'The rule.', example: 'uint64.gt' })
  declare rule: string;

  @ApiProperty({ type: 'string', description: 'The rule in words.', example: 'must be greater than 0' })
  declare description: string;
}

/** The component of every refusal and failure. */
@ApiSchema({ name: 'ErrorEnvelope', description: 'Answer of every request that was not carried out.' })
export class ErrorEnvelope {
  @ApiProperty({ type: 'integer', description: 'One of the codes that /codes lists.', example: 40000 })
  declare code: number;

  @ApiProperty({ type: 'string', description: 'What went wrong, for people.', example: 'Invalid parameter' })
  declare msg: string;

  @ApiProperty({ type: 'object', description: 'Always empty.', example: {}, additionalProperties: false })
  declare data: object;

  @ApiProperty({ type: 'string', description: 'Finds the request in the logs.', example: '5f0c1c9e8a' })
  declare requestID: string;

  @ApiProperty({
    type: () => [ViolationComponent],
    required: false,
    description: 'The rules broken, when code is 40000.',
  })
  declare violations?: ViolationComponent[];
}
